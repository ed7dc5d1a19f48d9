"""Another P4Runtime controller of the switch.

As a script it runs on the switch's host: `other_controller.py TARGET ELECTION_ID` becomes primary, sets the pipeline
that is in force, if there is one, once more, which empties it, prints the word `primary`, and leaves when it is ended.
"""

from __future__ import annotations

import queue
import signal
import sys
from pathlib import Path
from typing import Self

import grpc

from deploy.laboratory import Laboratory
from deploy.laboratory.namespace import LaboratoryError, end
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.proto import p4runtime_pb2_grpc

_DEVICE = 0
_PRIMARY = "primary"


class OtherController:
    """Is primary with `election_id`, and has emptied the switch, from entry to exit."""

    def __init__(self, laboratory: Laboratory, election_id: int) -> None:
        argv = [sys.executable, str(Path(__file__)), laboratory.switch.grpc, str(election_id)]
        self._log = laboratory.directory / "other_controller.log"
        self._process = laboratory.balancer.popen(argv, log=self._log, pipe=True)

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != _PRIMARY:
            end(self._process)
            raise LaboratoryError(f"the other controller is not primary:\n{self._log.read_text()}")
        return self

    def __exit__(self, *error: object) -> None:
        end(self._process)


def _main(target: str, election_id: str) -> None:
    own = pb.Uint128(low=int(election_id))
    requests: queue.SimpleQueue[pb.StreamMessageRequest] = queue.SimpleQueue()
    arbitration = pb.MasterArbitrationUpdate(device_id=_DEVICE, election_id=own)
    requests.put(pb.StreamMessageRequest(arbitration=arbitration))
    with grpc.insecure_channel(target) as channel:
        stub = p4runtime_pb2_grpc.P4RuntimeStub(channel)
        # Open, and waiting for requests, until the process ends.
        stream = stub.StreamChannel(iter(requests.get, None))
        answer = next(stream)
        assert answer.arbitration.status.code == grpc.StatusCode.OK.value[0], answer
        _set_again(stub, own)
        print(_PRIMARY, flush=True)  # noqa: T201
        signal.pause()


def _set_again(stub: p4runtime_pb2_grpc.P4RuntimeStub, own: pb.Uint128) -> None:
    try:
        config = stub.GetForwardingPipelineConfig(pb.GetForwardingPipelineConfigRequest(device_id=_DEVICE)).config
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
            return  # there is none yet
        raise
    commit = pb.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT
    stub.SetForwardingPipelineConfig(
        pb.SetForwardingPipelineConfigRequest(device_id=_DEVICE, election_id=own, action=commit, config=config)
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])
