"""A run as TensorBoard's event files, written by TensorBoard's own writer; neither torch nor TensorFlow is needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.track.facts import Facts
from trainer.track.points import Point

SUFFIX = ".goemo"
"""Ends the names of the files that are ours in a run's folder; others are left alone."""


class TensorBoard:
    """One folder a run below `folder`, which is what `tensorboard --logdir` is given."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder
        self._writer: Any = None

    def begin(self, facts: Facts, story: Sequence[Point]) -> None:
        """A new file in place of those before."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if self._writer is not None:
            self._writer.close()
        place = paths.private_folder(self._folder / facts.run)
        self.where = str(place)
        for old in place.glob(f"events.out.tfevents.*{SUFFIX}"):
            # emptied, not removed: a TensorBoard that is open would wait for the file's end and never look at the next
            if old.stat().st_size:
                os.truncate(old, 0)
            else:
                old.unlink()
        self._writer = EventFileWriter(str(place), filename_suffix=SUFFIX)
        # a TensorBoard that is open forgets by this what it has read of the run
        start = SessionLog(status=SessionLog.START)
        self._writer.add_event(Event(wall_time=facts.began, step=0, session_log=start))
        about = hparams_pb(dict(facts.settings), trial_id=facts.run, start_time_secs=facts.began)
        self._writer.add_event(Event(wall_time=facts.began, step=0, summary=about))
        for tag, text in (("name", facts.name), ("note", facts.note)):
            if text:
                self._say(f"run/{tag}", text, facts.began)
        self._writer.flush()

    def write(self, points: Sequence[Point]) -> None:
        """One event a point."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        for point in points:
            values = [Summary.Value(tag=name, simple_value=value) for name, value in point.values.items()]
            self._writer.add_event(Event(wall_time=point.wall, step=point.step, summary=Summary(value=values)))
        self._writer.flush()

    def end(self, state: str, wall: float | None) -> None:
        """The state as text, and as the outcome of the session that the table of hyperparameters shows."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        codes = {"finished": api_pb2.STATUS_SUCCESS, "failed": api_pb2.STATUS_FAILURE, "died": api_pb2.STATUS_FAILURE}
        told = plugin_data_pb2.HParamsPluginData(
            version=0,
            session_end_info=plugin_data_pb2.SessionEndInfo(
                status=codes.get(state, api_pb2.STATUS_UNKNOWN), end_time_secs=wall or 0.0
            ),
        )
        about = SummaryMetadata(
            plugin_data=SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=told.SerializeToString())
        )
        value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)
        self._writer.add_event(Event(wall_time=wall or 0.0, step=0, summary=Summary(value=[value])))
        self._say("run/state", state, wall or 0.0)
        self._writer.close()
        self._writer = None

    def _say(self, tag: str, text: str, wall: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.text import metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        value = Summary.Value(
            tag=tag,
            metadata=metadata.create_summary_metadata(display_name=tag, description=""),
            tensor=make_tensor_proto([text.encode()]),
        )
        self._writer.add_event(Event(wall_time=wall, step=0, summary=Summary(value=[value])))
