"""Tables of candidates, written from rows and read back as rows."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from callbacks.writing.candidates.table_file import CANDIDATES, TableWriter, schema

COLUMNS = {"id": str, "class": int, "cluster": int, "pixels": int, "distance": float, "selected": bool, "iou": float}


def write_table(folder, class_names, rows, vectors=None):
    """Write rows (id, class, cluster, pixels, distance, selected, iou) into a folder; iou may be None."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors = np.zeros((len(rows), 2)) if vectors is None else vectors
    columns = {
        name: np.array([row[place] for row in rows], dtype) for place, (name, dtype) in enumerate(COLUMNS.items())
    }
    writer = TableWriter(folder / CANDIDATES, schema(vectors.shape[1], class_names))
    writer.write(pa.array(columns.pop("id"), pa.string()), np.asarray(vectors, dtype=np.float32), columns)
    writer.close()
    return folder / CANDIDATES


def read_rows(folder):
    """Return every candidate, background among them, as a dict by column."""
    return pq.read_table(folder / CANDIDATES).to_pylist()


def foreground(folder):
    return [row for row in read_rows(folder) if row["class"]]
