/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The maps. The loader sets the sizes of those that have one entry here: l7lb_splices and l7lb_index, which user space
 * maps into its memory, and what there is for each blank record.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "records.h"

#define MAX_PORTS 256
#define MAX_SERVERS 65536
#define MAX_PATHS 65536
#define MAX_LISTENERS 65536
#define MAX_EXPECTED 65536
#define MAX_PRECEDENTS 16384
#define MAX_ADMISSIONS 4096
#define MAX_DECLINED 16384
#define MAX_LABELS 4096
#define EVENT_BYTES (1 << 18)

/* Set by the loader. */
const volatile struct {
	__u64 secrets[2][1 + TUPLE_WORDS]; /* of the hash, for each of the two buckets of a tuple */
	struct cookie_key head_key;	   /* of the hash of heads */
	__u32 buckets;			   /* in l7lb_index */
	__u32 cpu_ifindex;		   /* the program's side of the CPU interface */
	__u32 crowd;			   /* more ended connections than that make room sooner */
	__u32 zero;
} settings;

/* By record number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct splice);
} l7lb_splices SEC(".maps");

/* Where the splice of a tuple is: index.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket);
} l7lb_index SEC(".maps");

/* By splice.path. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PATHS);
	__type(key, __u32);
	__type(value, struct path);
} l7lb_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LISTENERS);
	__type(key, struct endpoint);
	__type(value, struct offer);
} l7lb_listeners SEC(".maps");

/* The listeners' addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LISTENERS);
	__type(key, struct address);
	__type(value, __u8);
} l7lb_vips SEC(".maps");

/* 4-tuples of replies that the slow path waits for, and when it stops waiting (CLOCK_MONOTONIC, ns). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_EXPECTED);
	__type(key, struct tuple);
	__type(value, __u64);
} l7lb_expected SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_PRECEDENTS);
	__type(key, struct precedent_key);
	__type(value, struct precedent);
} l7lb_precedents SEC(".maps");

/* Requests that followed one, by its label. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_LABELS);
	__type(key, __u32);
	__type(value, __u64);
} l7lb_followed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_ADMISSIONS);
	__type(key, struct admission_key);
	__type(value, struct admission);
} l7lb_admissions SEC(".maps");

/* Connections that were let in and whose server has accepted, by the label of the admission. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_LABELS);
	__type(key, __u32);
	__type(value, __u64);
} l7lb_accepted SEC(".maps");

/* Slots of the splices that the program has made, for user space alone writes the index; they have no tag. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct ipv4_tuple);
	__type(value, __u32);
} l7lb_admitted SEC(".maps");

/* Records that the program may have, */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, struct resting);
} l7lb_blanks SEC(".maps");

/* and those of connections that have ended, in the order in which they have. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, struct resting);
} l7lb_ended SEC(".maps");

/* How many there are of those. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s32);
} l7lb_crowd SEC(".maps");

/* Connections that the slow path was told of, and the ACK number of the segment: they are not let in any more. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_DECLINED);
	__type(key, struct ipv4_tuple);
	__type(value, __u32);
} l7lb_declined SEC(".maps");

/* Port to ifindex; 0: no such port. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} l7lb_ports SEC(".maps");

/* ifindex to port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} l7lb_ifindexes SEC(".maps");

/* By 2 * server + direction. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * MAX_SERVERS);
	__type(key, __u32);
	__type(value, struct traffic);
} l7lb_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} l7lb_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_BYTES);
} l7lb_events SEC(".maps");

/* SYN cookie keys by epoch & 1. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct cookie_key);
} l7lb_cookies SEC(".maps");

/* The epoch of SYN cookies plus one; 0 as long as there are no keys. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} l7lb_epoch SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&l7lb_counters, &counter);

	if (value)
		++*value;
}
