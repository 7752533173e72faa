"""TensorBoard's own classes against our event files. Versions and results: README.md.

    check.py fixture   writes expected.tfevents with TensorBoard's record writer
    check.py read DIR  reads what write.ts wrote and compares what TensorBoard shows with expected.json
"""

import json
import pathlib
import sys

from tensorboard import version
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

HERE = pathlib.Path(__file__).parent


def fixture():
    cases = json.loads((HERE / "cases.json").read_text())
    events = [
        event_pb2.Event(
            wall_time=cases["version"]["time"] / 1000, file_version="brain.Event:2"
        ),
        event_pb2.Event(
            wall_time=cases["restart"]["time"] / 1000,
            step=cases["restart"]["step"],
            session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START),
        ),
    ]
    for case in cases["scalars"]:
        values = [
            summary_pb2.Summary.Value(tag=tag, simple_value=float(value))
            for tag, value in case["values"].items()
        ]
        events.append(
            event_pb2.Event(
                wall_time=case["time"] / 1000,
                step=case["step"],
                summary=summary_pb2.Summary(value=values),
            )
        )
    with open(HERE / "expected.tfevents", "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString(deterministic=True))
        writer.flush()


def read(folder):
    accumulator = event_accumulator.EventAccumulator(
        folder, size_guidance={event_accumulator.SCALARS: 0}
    )
    accumulator.Reload()
    shown = {
        tag: [[event.step, event.wall_time, event.value] for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }
    expected = json.loads((pathlib.Path(folder) / "expected.json").read_text())
    if shown != expected:
        sys.exit(f"shown:    {shown}\nexpected: {expected}")
    print(f"tensorboard {version.VERSION} shows what was written: {shown}")


if __name__ == "__main__":
    if sys.argv[1] == "fixture":
        fixture()
    else:
        read(sys.argv[2])
