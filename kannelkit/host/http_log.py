"""What aiohttp's servers log."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError


def server_logger(name: str) -> logging.Logger:
    """Return a logger for an AppRunner without what a client sent that is no HTTP: it was answered with 400."""
    logger = logging.getLogger(name)
    logger.addFilter(_worth_telling)
    return logger


def _worth_telling(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
