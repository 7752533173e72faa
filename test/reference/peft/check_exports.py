"""Shows every folder of `export-adapters.ts` to the real peft and transformers, and writes `exports.json`.

    python check_exports.py FOLDER

For each adapter: as check_adapter.py, except for one trained on a 4-bit base, which peft would load on another.
For each merged model: transformers loads the folder as it stands, and its logits are compared with ours; those of
a 16-bit base are rounded when they are saved, so that they may differ by as much.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import torch
from check_adapter import TOLERANCE, check, feeds_of, relative_error
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification


def main() -> int:
    rows = {}
    versions = {}
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        given = json.loads((folder / "input.json").read_text())
        row = {}
        if folder.name != "nf4-base":
            result = check(str(folder / "adapter"), str(folder / "base"), given)
            versions = result.pop("versions")
            row["adapter"] = {"relativeError": result["relativeError"], "effect": result["effect"]}
            problems = {key: result[key] for key in ("missing", "unexpected", "wrongShapes") if result[key]}
            if problems:
                row["adapter"]["problems"] = problems
            row["ok"] = result["ok"] and result["effect"] > 1e-3
        # Nothing that stands before the words has a merged form.
        if (folder / "merged").exists():
            error, warnings = merged(folder / "merged", given)
            row["merged"] = {"relativeError": error}
            if warnings:
                row["merged"]["problems"] = warnings
            limit = 2e-2 if folder.name == "16-bit-base" else TOLERANCE
            row["ok"] = row.get("ok", True) and error <= limit and not warnings
        rows[folder.name] = row
        print(folder.name, json.dumps(row), flush=True)
    (HERE / "exports.json").write_text(json.dumps({"versions": versions, "tolerance": TOLERANCE, "cases": rows}, indent=1) + "\n")
    return 0 if all(row["ok"] for row in rows.values()) else 1


def merged(folder: Path, given: dict):
    config = json.loads((folder / "config.json").read_text())
    classifies = config["architectures"][0].endswith("SequenceClassification")
    cls = AutoModelForSequenceClassification if classifies else AutoModelForCausalLM
    model, info = cls.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    feeds = feeds_of(given)
    with torch.no_grad():
        logits = model.eval()(**feeds).logits
    problems = {key: sorted(value) for key, value in info.items() if value and key in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    return relative_error(given, feeds, logits), problems


if __name__ == "__main__":
    sys.exit(main())
