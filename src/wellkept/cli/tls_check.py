"""`wellkept tls check`: what is wrong with certificates, keys, keystores and revocation lists, in plain words."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import click

from wellkept._files import shown
from wellkept.cli import render
from wellkept.cli.target import attempt, layer_options
from wellkept.cli.tls_material import password_options, read_password
from wellkept.cli.tls_sorting import Heap, told
from wellkept.cli.tls_trial import judge_heap
from wellkept.cli.tls_sorting import sort_files
from wellkept.errors import BundleError, ConfigError, EXIT_FINDINGS, EXIT_FINE, UsageError
from wellkept.model import Finding, Severity
from wellkept.tls.bundle import Parts
from wellkept.tls.client import ClientTLS
from wellkept.tls.judge import findings_of
