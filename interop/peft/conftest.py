"""Keeps Transformers from logging what the tests expect."""

from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
