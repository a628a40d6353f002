"""Tests of the pools: real servers, many clients, faults."""
