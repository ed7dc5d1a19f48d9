"""The laboratory: clients, the balancer's host and servers in network namespaces of one machine."""

from deploy.laboratory.laboratory import Laboratory
from deploy.laboratory.namespace import Namespace
from deploy.laboratory.run import Run
from deploy.laboratory.server import Server
from deploy.laboratory.switch import Switch
from deploy.laboratory.topology import VIP, VIP6

__all__ = ["VIP", "VIP6", "Laboratory", "Namespace", "Run", "Server", "Switch"]
