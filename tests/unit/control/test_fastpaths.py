"""Opening the fast path that is configured: what cannot be opened says why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

from fastpath.errors import Rejected
from slowpath.control.config import load
from slowpath.control.fastpaths import open_fastpath


@pytest.mark.parametrize("p4info", ["no P4Info", "", 'pkg_info { arch: "v1model" }'])
def test_a_program_that_is_none_is_rejected_before_the_switch_is_asked(tmp_path: Path, p4info: str) -> None:
    (tmp_path / "l7lb.p4info.txtpb").write_text(p4info)
    (tmp_path / "l7lb.json").touch()
    fastpath = {
        "kind": "bmv2",
        "grpc": "127.0.0.1:9559",
        "p4info": "l7lb.p4info.txtpb",
        "device_config": "l7lb.json",
        "cpu_interface": "cpu0",
        "ports": {"0": {"address": "10.2.0.1/24"}},
    }
    document = {
        "fastpath": fastpath,
        "listeners": {"web": {"address": "10.2.0.100:80", "default": "web"}},
        "pools": {"web": {"servers": ["10.2.0.2:80"]}},
    }
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(Rejected, match=r"there is no program for the switch: .*l7lb\.p4info\.txtpb"):
        asyncio.run(open_fastpath(load(file)))
