"""Drives `embedkit embed` as a child process: Arrow record batches in, the same batches with their vectors out.

For each record batch that goes in exactly one comes out, in order, its columns untouched. Needs pyarrow and embedkit on the path.
"""

import subprocess
import tempfile
import threading

import pyarrow as pa

# What embedkit takes in one record batch is 65,536 rows; a window of its own is 4,096.
BATCH_ROWS = 4096


class EmbedkitError(RuntimeError):
    """embedkit ended with another exit code than 0; the message is what it said."""


class Pipe:
    """One embedkit process for batches of one schema, that of the first. Use it in a `with`, or close it."""

    def __init__(self, arguments=(), command=("embedkit",)):
        self.schema = None
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [*command, "embed", "-", "--from", "arrow-stream", "--to", "arrow-stream", "-o", "-", "--quiet", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        self._writer = None
        self._reader = None

    def write(self, batch):
        """Sends a record batch. One thread may write while another reads."""
        if self._writer is None:
            self.schema = batch.schema
            self._writer = pa.ipc.new_stream(self._process.stdin, batch.schema)
        self._writer.write_batch(batch)
        self._process.stdin.flush()

    def end(self):
        """No more batches come."""
        self._writer.close()
        self._process.stdin.close()

    def abandon(self):
        """No more batches come, and those that did are not all."""
        self._process.kill()

    def read(self):
        """The answer to the next batch; None after the last. Raises EmbedkitError."""
        try:
            self._reader = self._reader or pa.ipc.open_stream(self._process.stdout)
            return self._reader.read_next_batch()
        except StopIteration:
            # 3: all is done, and rows were put aside as --quarantine says.
            if self._process.wait() not in (0, 3):
                raise self._failure() from None
            return None
        except (pa.ArrowInvalid, OSError):
            raise self._failure() from None

    def ask(self, batch):
        """The batch with its vectors. The process stays for the next one."""
        try:
            self.write(batch)
        except OSError:
            raise self._failure() from None
        return self.read()

    def close(self):
        """Ends the process, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            try:
                file.close()
            except OSError:
                pass  # What was not sent has no reader any more.
        self._said.close()

    def _failure(self):
        # A process whose output ended is about to end itself.
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        return EmbedkitError(f"embedkit ended with {code}: {said or 'without a word'}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def embed_batches(batches, arguments=(), command=("embedkit",)):
    """Yields each record batch of an iterator with its vectors. Large batches are cut; at most a few are under way at a time."""
    # The model is loaded while whoever makes the batches makes the first.
    with Pipe(arguments, command) as pipe:
        pieces = (piece for batch in batches for piece in cut(batch))
        first = next(pieces, None)
        if first is None:
            return
        failures = []
        threading.Thread(target=_feed, args=(pipe, first, pieces, failures), daemon=True).start()
        try:
            while (answer := pipe.read()) is not None:
                yield answer
        except EmbedkitError:
            # Where the input failed, embedkit was only ended for it.
            if not failures:
                raise
        if failures:
            raise failures[0]


def cut(batch):
    """A record batch in pieces of at most 4,096 rows."""
    for start in range(0, max(batch.num_rows, 1), BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _feed(pipe, first, rest, failures):
    try:
        pipe.write(first)
        for batch in rest:
            pipe.write(batch)
        pipe.end()
    except OSError:
        pass  # embedkit went away: whoever reads is told why.
    except BaseException as error:
        failures.append(error)
        pipe.abandon()
