"""Seeded faults in what lets connections in: the tests of that must find every one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fastpath.records import Direction
from slowpath.wire import tcp
from tests.conformance import test_ebpf_admission_ends as ends
from tests.conformance import test_ebpf_admission_rules as rules
from tests.conformance import test_ebpf_admissions as sent
from tests.conformance.ebpf_mutants import Fault, mutant
from tests.conformance.ebpf_target import EbpfTarget

CHECKS: tuple[Callable[[EbpfTarget], object], ...] = (
    sent.test_what_is_sent_is_the_slow_paths,
    sent.test_any_length_of_a_head,
    sent.test_what_follows_is_translated,
    sent.test_it_is_counted,
    *(partial(rules.test_what_is_out_of_the_ordinary_is_punted, change=change) for change in rules.CHANGES.values()),
    rules.test_timestamps_that_were_not_agreed_on,
    rules.test_a_super_packet_is_punted,
    rules.test_another_vip,
    rules.test_nobody_is_let_in_by_what_is_over_or_revoked,
    rules.test_who_was_left_to_the_slow_path_stays_there,
    rules.test_a_server_that_the_slow_path_waits_for_is_not_asked,
    rules.test_a_server_that_knows_the_client_through_another_splice_is_not_asked,
    rules.test_two_vips_share_a_server_but_for_one_4_tuple,
    rules.test_a_head_that_is_too_long_for_the_next_hop_is_not_let_in,
    rules.test_servers_have_their_turns,
    rules.test_the_segment_again_is_the_syn_again_and_then_the_slow_paths,
    rules.test_the_segment_again_may_have_later_timestamps,
    partial(rules.test_a_refusal_leaves_the_connection_to_the_slow_path, flags=tcp.RST | tcp.ACK),
    *(
        partial(rules.test_a_server_that_cannot_keep_what_was_promised_is_reset, given=given)
        for given in rules.UNFIT.values()
    ),
    rules.test_a_larger_scale_than_was_promised_fits,
    partial(rules.test_an_earlier_connection_is_ended, flags=tcp.ACK),
    *(
        partial(rules.test_what_else_a_client_sends_is_dropped, change=change)
        for change in rules.DROPPED_FROM_CLIENTS.values()
    ),
    *(
        partial(rules.test_what_else_a_server_sends_is_dropped, change=change)
        for change in rules.DROPPED_FROM_SERVERS.values()
    ),
    rules.test_an_admission_that_is_revoked_meanwhile,
    rules.test_who_asks_has_nothing_to_hand_over,
    partial(ends.test_what_is_handed_over_is_a_splice_like_others, direction=Direction.TO_CLIENT),
    ends.test_its_end_is_reported,
    ends.test_before_that_it_is_not,
    ends.test_a_routed_one_has_a_pivot_and_follows_precedents,
    ends.test_what_precedents_have_moved_is_told,
    ends.test_a_syn_is_punted,
    ends.test_a_syn_after_the_end_begins_the_next_one,
    ends.test_what_comes_late_passes,
    ends.test_a_cookie_that_was_given_before_the_end,
    ends.test_a_number_that_is_no_cookie,
    ends.test_another_vip_may_use_the_servers_4_tuple_after_the_end,
    ends.test_so_may_the_slow_path,
    ends.test_a_cookie_before_the_end_of_the_stream_is_the_old_ones,
    ends.test_without_blank_records_nobody_is_let_in,
    ends.test_records_are_used_again,
)

FAULTS = (
    Fault("SYN of another number", "admission.h", "bpf_htonl(asked->sequence - 1)", "bpf_htonl(asked->sequence)"),
    Fault("window not scaled", "admission.h", "? 0 : agreed.window_scale);", "? 0 : 0);"),
    Fault("window not cut", "admission.h", "window > 0xffff ? 0xffff : window", "window"),
    Fault("no CWR", "admission.h", ".cwr = agreed.ecn", ".cwr = 0"),
    Fault("MSS of another entry", "cookie.h", "(index >= 5) *", "(index >= 6) *"),
    Fault("our own timestamp echoed", "admission.h", "asked->tsval, 0);", "asked->tsval, asked->tsecr);"),
    Fault("any flags", "admission.h", "(packet->flags & ~FLAG_PSH) == FLAG_ACK", "packet->flags & FLAG_ACK"),
    Fault("super-packets", "admission.h", " && !skb->gso_size", ""),
    Fault("IPv4 options", "admission.h", " && !has_ip_options(packet)", ""),
    Fault(
        "any options without timestamps",
        "admission.h",
        "return packet->tcp_length == sizeof(struct tcphdr);",
        "return true;",
    ),
    Fault(
        "any options of that length", "admission.h", "*(const __be32 *)packet->tcp.options == TIMESTAMPS_ONLY", "true"
    ),
    Fault("no cookie", "admission.h", " || !acknowledges_cookie(packet)", ""),
    Fault("what is over", "admission.h", "admission->until <= bpf_ktime_get_coarse_ns() ||", ""),
    Fault("a wrong checksum", "admission.h", "!is_intact(packet, admission->sum) ||", ""),
    Fault("checksum of the header alone", "write.h", "folded((__u64)payload + ", "folded("),
    Fault("length without the payload", "write.h", "packet->tcp_length + packet->payload)", "packet->tcp_length)"),
    Fault("another VIP's", "admission.h", ".port = packet->tcp.fixed.dest }", "}"),
    Fault(
        "always the first one's turn", "admission.h", "__sync_fetch_and_add(&admission->next, 1) % turns", "0 % turns"
    ),
    Fault("splices not looked for", "admission.h", "(!slot || gives_way(slot))", "(!slot || 1)"),
    Fault("expected packets not looked for", "admission.h", " && !is_expected(&draft->taken)", ""),
    Fault("any MTU", "admission.h", "packet, packet->total);", "packet, 0);"),
    Fault("nobody declined", "admission.h", "*acknowledgment == draft->asked.acknowledgment", "false"),
    Fault("declined for ever", "admission.h", "*acknowledgment == draft->asked.acknowledgment", "true"),
    Fault("not routed", "admission.h", "draft->flags |= HAS_PIVOT | FOLLOWS_PRECEDENTS", "(void)0"),
    Fault("always routed", "admission.h", "if (admission->routed)", "if (1)"),
    Fault("label lost", "admission.h", " | admission->label << LABEL_SHIFT", ""),
    Fault("lead lost", "admission.h", " | lead << LEAD_SHIFT", ""),
    Fault("payload left in the checksum", "admission.h", "draft->body = ~admission->sum", "draft->body = 0"),
    Fault(
        "length left out of the checksum",
        "draft.h",
        "draft->new[2] = bpf_htonl(",
        "draft->new[2] = draft->old[2] + 0 * bpf_htonl(",
    ),
    Fault("ever so often again", "acceptance.h", "!admission || before & REPEATED", "!admission"),
    Fault("never again", "acceptance.h", "!admission || before & REPEATED", "true"),
    Fault("any segment again", "acceptance.h", "admission && !repeats(skb, packet, draft, admission)", "0"),
    Fault("other bytes again", "acceptance.h", " ==\n\t\t       draft->asked.head;", " != 0;"),
    Fault(
        "another number again", "acceptance.h", "bpf_ntohl(packet->tcp.fixed.seq) == draft->asked.sequence &&", "1 &&"
    ),
    Fault("any RST", "acceptance.h", "acknowledges && decides(splice)", "decides(splice)"),
    Fault("no RST", "acceptance.h", "acknowledges && decides(splice)", "0"),
    Fault("refused for ever", "acceptance.h", "bpf_map_delete_elem(&l7lb_admissions, &key);", "(void)key;"),
    Fault("refusals taken for news", "acceptance.h", "\tdecline(draft);\n", ""),
    Fault("earlier connections left alone", "acceptance.h", "reset(packet, draft, 0);", "return STOP;"),
    Fault("a RST alone", "acceptance.h", "== ASKING ? RENEW : SEND", "== ASKING ? SEND : SEND"),
    Fault(
        "ever so often anew",
        "acceptance.h",
        "(ASKING | DECIDED | REPEATED)) == ASKING ? R",
        "(ASKING | DECIDED)) == ASKING ? R",
    ),
    Fault("a RST with an ACK number", "acceptance.h", ".ack = !!acknowledgment", ".ack = 1"),
    Fault("any answer", "acceptance.h", "packet->payload || !is_intact(packet, 0)", "packet->payload"),
    Fault("answers with payload", "acceptance.h", "packet->payload || !is_intact(packet, 0)", "!is_intact(packet, 0)"),
    Fault("timestamps missed", "acceptance.h", "agreed->timestamps && !given->timestamps", "0"),
    Fault("scale missed", "acceptance.h", "given->window_scale != NO_SCALE && ", ""),
    Fault("smaller scale missed", "acceptance.h", " && given->window_scale >= offered", ""),
    Fault(
        "acknowledged too early",
        "acceptance.h",
        "bpf_htonl(isn + 1),\n\t\t.doff = draft",
        "bpf_htonl(isn),\n\t\t.doff = draft",
    ),
    Fault(
        "server's clock not echoed",
        "acceptance.h",
        "options[2] = bpf_htonl(tsval)",
        "options[2] = bpf_htonl(asked->tsecr)",
    ),
    Fault(
        "delta off by one",
        "acceptance.h",
        "asked->acknowledgment - bpf_ntohl(",
        "asked->acknowledgment - 1 - bpf_ntohl(",
    ),
    Fault(
        "timestamp delta of another sign",
        "acceptance.h",
        "asked->tsecr - bpf_ntohl(options[2])",
        "bpf_ntohl(options[2]) - asked->tsecr",
    ),
    Fault("pivot before the head", "acceptance.h", "asked->sequence + draft->payload", "asked->sequence"),
    Fault("nothing followed", "acceptance.h", "splice->closing = FOLLOWED", "splice->closing = 0"),
    Fault(
        "response from elsewhere",
        "acceptance.h",
        "response_start = asked->acknowledgment",
        "response_start = asked->acknowledgment - 1",
    ),
    Fault("not counted", "acceptance.h", "++*accepted;", "(void)0;"),
    Fault("no traffic", "acceptance.h", "count_traffic(skb, splice, TO_SERVER, packet);", "(void)skb;"),
    Fault("reported all the same", "closing.h", "if (is_own(splice)) {", "if (0) {"),
    Fault("never its own", "index.h", "splice->flags & ADMITTED && !splice->generation", "0"),
    Fault("followed before its end", "blank.h", "!is_own(splice) || !has_ended(splice->closing)", "!is_own(splice)"),
    Fault(
        "followed by what came before",
        "blank.h",
        "splice->fin[TO_CLIENT]) <= 0 ||",
        "splice->fin[TO_CLIENT]) == 1 ||",
    ),
    Fault("followed without a cookie", "blank.h", "|| !acknowledges_cookie(packet)))", "))"),
    Fault("followed by SYNs alone", "blank.h", "!= FLAG_SYN &&\n\t    (", "!= FLAG_SYN &&\n\t    (1 || "),
    Fault(
        "followed by no SYN", "blank.h", "(FLAG_SYN | FLAG_ACK | FLAG_RST)) != FLAG_SYN &&", "FLAG_ACK) != FLAG_SYN &&"
    ),
    Fault("server's 4-tuple kept after the end", "admission.h", "(!slot || gives_way(slot))", "!slot"),
    Fault("kept from the slow path", "l7lb.bpf.c", "gives_way(find_admitted(&key));", ""),
    Fault("tuples kept", "blank.h", "bpf_map_delete_elem(&l7lb_admitted, &forth);", ""),
    Fault("the same record for all", "blank.h", "taken ? (int)blank.number : NO_RECORD", "0"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_is_found(fault: Fault, tmp_path: Path) -> None:
    target = mutant(tmp_path, *ends.IMPATIENT, fault)
    try:
        with pytest.raises((AssertionError, ValueError)):
            for check in CHECKS:
                check(target)
    finally:
        target.close()
