"""What LAPACK takes by NumPy: `python lapack.py ROWS COLUMNS THREADS TASK`, TASK of thin, thin64, values64, values; seconds, and those of all threads, as JSON."""

import json
import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[3]
import numpy  # noqa: E402  (after the number of threads)
import time  # noqa: E402

rows, columns = int(sys.argv[1]), int(sys.argv[2])
A = numpy.random.default_rng(0).standard_normal((rows, columns))
tasks = {
    "thin": lambda: numpy.linalg.svd(A.astype(numpy.float32), full_matrices=False),
    "thin64": lambda: numpy.linalg.svd(A, full_matrices=False),
    "values64": lambda: numpy.linalg.svd(A, compute_uv=False),
    "values": lambda: numpy.linalg.svd(A.astype(numpy.float32), compute_uv=False),
}
start, before = time.perf_counter(), time.process_time()
tasks[sys.argv[4]]()
result = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - before}
print(json.dumps({"numpy": numpy.__version__, **result}))
