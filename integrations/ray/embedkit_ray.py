"""Vectors for a Ray Dataset: `map_batches` with a pool of actors, each with an embedkit process of its own over embedkit's pipe.

Needs embedkit_pipe.py beside it, pyarrow, and embedkit on every machine. An actor that dies is started again by Ray, and so is what it
had in hand: each row comes out once.
"""

import pyarrow as pa
from embedkit_pipe import BATCH_ROWS, Pipe


def embed(dataset, arguments=(), command=("embedkit",), actors=1, cpus=1, batch_size=BATCH_ROWS):
    """The rows of `dataset` with the columns embedding, token_count, truncated and content_hash.

    `arguments` are flags of `embedkit embed`, such as ("--text-field", "body"); an actor's process has `cpus` engine threads.
    """
    import ray.data

    class Configured(Embedder):
        """Its arguments travel with it: constructor arguments stand in the object store, which an actor that starts again may have lost."""

        def __init__(self):
            super().__init__((*arguments, "--threads", str(cpus)), tuple(command))

    return dataset.map_batches(
        Configured,
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=cpus,
    )


class Embedder:
    """Keeps one process, and its loaded model, for all the batches that an actor gets."""

    def __init__(self, arguments=(), command=("embedkit",)):
        self._arguments = arguments
        self._command = command
        self._pipe = Pipe(arguments, command)

    def __call__(self, table: pa.Table) -> pa.Table:
        if self._pipe.schema not in (None, table.schema):
            self._pipe.close()
            self._pipe = Pipe(self._arguments, self._command)
        batches = table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS)
        if not batches:
            batches = [pa.RecordBatch.from_pylist([], schema=table.schema)]
        return pa.Table.from_batches([self._pipe.ask(batch) for batch in batches])

    def __del__(self):
        self._pipe.close()
