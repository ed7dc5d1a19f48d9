"""Seeded faults in the C source: the vectors must find every one in the program that the kernel runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fastpath.ebpf.attachment import SOURCE
from tests.conformance.checks import check_vector
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.vectors import VECTORS


@dataclass(frozen=True, slots=True)
class Fault:
    """In `file`, `right` becomes `wrong`."""

    name: str
    file: str
    right: str
    wrong: str


FAULTS = (
    Fault("SEQ off by one", "translate.h", "tcp->seq, translation->sequence)", "tcp->seq, translation->sequence + 1)"),
    Fault("ACK without its flag", "translate.h", "if (packet->flags & FLAG_ACK)", "if (1)"),
    Fault(
        "SACK by the SEQ delta", "translate.h", ".edges = translation->acknowledgment", ".edges = translation->sequence"
    ),
    Fault("ports swapped", "translate.h", "tcp->source = translation->becomes.source_port", "tcp->source = tcp->dest"),
    Fault("TTL kept", "translate.h", "ip->ttl--", "(void)0"),
    Fault("TTL 1 let through", "translate.h", "ttl <= 1", "ttl < 1"),
    Fault("addresses left out of the checksum", "translate.h", "return bpf_csum_diff(", "return 0 & bpf_csum_diff("),
    Fault("pivot one too early", "translate.h", "(translation->pivot - end) < 0", "(translation->pivot - end) <= 0"),
    Fault("pivot without the wrap", "translate.h", "(__s32)(translation->pivot - end) < 0", "translation->pivot < end"),
    Fault("pivot of an injected packet", "translate.h", "!arrival->injected && is_past", "is_past"),
    Fault("SYN forwarded", "translate.h", "if (packet->flags & FLAG_SYN)", "if (0)"),
    Fault(
        "direction of a counter", "translate.h", "translation->server + translation->direction", "translation->server"
    ),
    Fault("last SACK edge forgotten", "options.h", "2 + 4 * edge < option.length", "6 + 4 * edge < option.length"),
    Fault("TSecr left alone", "options.h", "add_at(header, option.offset + 6, deltas->tsecr)", "(void)0"),
    Fault("option past the header", "options.h", " && offset + option->length <= end ", " "),
    Fault("carry lost", "write.h", "~folded((__u64)difference + (__u16)~checksum)", "~(difference + (__u16)~checksum)"),
    Fault("TCP checksum left alone", "write.h", "pseudo, BPF_F_PSEUDO_HDR) &&\n", "0, BPF_F_PSEUDO_HDR) &&\n"),
    Fault("fragments taken for whole", "packet.h", "0x3fff", "0x2000"),
    Fault("data offset not compared", "packet.h", " && length <= available", ""),
    Fault("FIN one too short", "closing.h", "packet->payload + 1", "packet->payload"),
    Fault("FIN in the sender's numbers", "closing.h", "translated->seq", "packet->tcp.fixed.seq"),
    Fault("one FIN is enough", "closing.h", "((before | bit) & cause) != cause", "0"),
    Fault("marker not compared", "l7lb.bpf.c", "header.marker != CPU_MARKER", "0"),
    Fault("reply expected after a RST", "l7lb.bpf.c", "packet->flags & FLAG_RST)\n\t\tbpf", "0)\n\t\tbpf"),
    Fault("reply expected the wrong way", "l7lb.bpf.c", "key = reversed(&sent)", "key = sent"),
    Fault("port of a punt", "punt.h", "header.port[1] = *port", "header.port[1] = 0"),
    Fault("next hop's address as the source", "forward.h", "h_source, fib.smac", "h_source, fib.dmac"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_vectors_find(fault: Fault, tmp_path: Path) -> None:
    for path in (SOURCE, *SOURCE.parent.glob("*.h")):
        shutil.copy(path, tmp_path)
    source = tmp_path / fault.file
    text = source.read_text()
    assert text.count(fault.right) == 1, f"{fault.right!r} is not in {fault.file} exactly once"
    source.write_text(text.replace(fault.right, fault.wrong))
    target = EbpfTarget(tmp_path / SOURCE.name, tmp_path)
    try:
        with pytest.raises(AssertionError):
            for vector in VECTORS:
                check_vector(target, vector)
    finally:
        target.close()
