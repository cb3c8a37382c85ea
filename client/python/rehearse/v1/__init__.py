"""The contract, rehearse.v1, as generated messages and stubs: rehearse.v1.event_pb2 and so on."""
