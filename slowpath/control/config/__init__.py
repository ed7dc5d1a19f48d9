"""The configuration file: its schema, and how it is read."""

from slowpath.control.config.fastpath import EbpfConfig, FastPathConfig
from slowpath.control.config.load import load
from slowpath.control.config.problems import ConfigError, Problem
from slowpath.control.config.schema import (
    DEFAULT_ADMIN,
    Config,
    HealthConfig,
    LimitsConfig,
    ListenerConfig,
    PoolConfig,
    RouteConfig,
    ServerConfig,
    SnatConfig,
    TimeoutsConfig,
)
from slowpath.control.config.switch import PortConfig, StaticRouteConfig, SwitchConfig, VxlanConfig

__all__ = [
    "DEFAULT_ADMIN",
    "Config",
    "ConfigError",
    "EbpfConfig",
    "FastPathConfig",
    "HealthConfig",
    "LimitsConfig",
    "ListenerConfig",
    "PoolConfig",
    "PortConfig",
    "Problem",
    "RouteConfig",
    "ServerConfig",
    "SnatConfig",
    "StaticRouteConfig",
    "SwitchConfig",
    "TimeoutsConfig",
    "VxlanConfig",
    "load",
]
