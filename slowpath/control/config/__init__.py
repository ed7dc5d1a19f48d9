"""The configuration file: its schema, and how it is read."""

from slowpath.control.config.load import load
from slowpath.control.config.problems import ConfigError, Problem
from slowpath.control.config.schema import (
    DEFAULT_ADMIN,
    Config,
    FastPathConfig,
    HealthConfig,
    LimitsConfig,
    ListenerConfig,
    PoolConfig,
    RouteConfig,
    ServerConfig,
    SnatConfig,
    TimeoutsConfig,
)

__all__ = [
    "DEFAULT_ADMIN",
    "Config",
    "ConfigError",
    "FastPathConfig",
    "HealthConfig",
    "LimitsConfig",
    "ListenerConfig",
    "PoolConfig",
    "Problem",
    "RouteConfig",
    "ServerConfig",
    "SnatConfig",
    "TimeoutsConfig",
    "load",
]
