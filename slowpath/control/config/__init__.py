"""The configuration file: its schema, and how it is read."""

from slowpath.control.config.access_log import AccessLogConfig
from slowpath.control.config.bmv2 import Bmv2Config, Bmv2PortConfig
from slowpath.control.config.fastpath import EbpfConfig, FastPathConfig
from slowpath.control.config.health import HealthConfig
from slowpath.control.config.listeners import ListenerConfig, RouteConfig
from slowpath.control.config.load import load
from slowpath.control.config.passive import PassiveConfig
from slowpath.control.config.pools import PoolConfig
from slowpath.control.config.problems import ConfigError, Problem
from slowpath.control.config.schema import DEFAULT_ADMIN, Config, LimitsConfig, SnatConfig, TimeoutsConfig
from slowpath.control.config.servers import ServerConfig, ServerName, ServersFile
from slowpath.control.config.switch import StaticRouteConfig, SwitchConfig, VxlanConfig
from slowpath.control.config.tofino import TofinoConfig, TofinoPortConfig

__all__ = [
    "DEFAULT_ADMIN",
    "AccessLogConfig",
    "Bmv2Config",
    "Bmv2PortConfig",
    "Config",
    "ConfigError",
    "EbpfConfig",
    "FastPathConfig",
    "HealthConfig",
    "LimitsConfig",
    "ListenerConfig",
    "PassiveConfig",
    "PoolConfig",
    "Problem",
    "RouteConfig",
    "ServerConfig",
    "ServerName",
    "ServersFile",
    "SnatConfig",
    "StaticRouteConfig",
    "SwitchConfig",
    "TimeoutsConfig",
    "TofinoConfig",
    "TofinoPortConfig",
    "VxlanConfig",
    "load",
]
