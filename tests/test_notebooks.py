"""Every notebook runs from the first cell to the last, in a kernel of its own, and shows what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import ROOT

from synthkit.privacy.accounting.ledger_file import recompute

jupytext = pytest.importorskip("jupytext", reason="notebooks need the extra `notebook`")
nbclient = pytest.importorskip("nbclient", reason="notebooks need the extra `notebook`")
pytest.importorskip("ipykernel", reason="notebooks need the extra `notebook`")

NOTEBOOKS = ROOT / "notebooks"


def executed(name: str, folder: Path) -> list[str]:
    """What each cell of code showed, as text."""
    notebook = jupytext.read(NOTEBOOKS / name)
    nbclient.NotebookClient(
        notebook, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    shown = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            parts = [o.get("text") or o.get("data", {}).get("text/html", "") for o in cell.outputs]
            shown.append("".join(parts))
    return shown


def test_every_notebook_is_tested():
    assert {p.name for p in NOTEBOOKS.glob("*.py")} == {
        "01_quickstart.py",
        "03_private_training.py",
        "04_reading_a_report.py",
        "05_comparing_models.py",
        "08_patients_over_time.py",
    }


@pytest.mark.notebook
def test_quickstart(tmp_path, monkeypatch):
    """With less training on fewer patients than a reader would use."""
    monkeypatch.setenv("QUICKSTART_STEPS", "40")
    monkeypatch.setenv("QUICKSTART_ROWS", "900")
    shown = "\n".join(executed("01_quickstart.py", tmp_path))
    assert "unit='mmHg'" in shown
    assert "meanbp  >= 0 and <= 300  2     4, 9" in shown
    assert "utility.hospdead.gap: " in shown
    assert "epsilon: inf" in shown
    assert "<iframe" in shown
    assert "200 rows, groups: {'Coma'} deaths: 200" in shown
    assert "after: 0" in shown
    assert "synthetic.parquet" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.notebook
def test_comparing_models(tmp_path, monkeypatch):
    """On few patients and with little training: three processes, one after the other."""
    pytest.importorskip("sdv", reason="references need the extra `sdv`")
    monkeypatch.setenv("COMPARING_STEPS", "30")
    monkeypatch.setenv("COMPARING_ROWS", "600")
    shown = "\n".join(executed("05_comparing_models.py", tmp_path))
    assert "made by others:     gaussian_copula reference_ctgan reference_tvae" in shown
    assert "<iframe" in shown
    assert "utility.hospdead.gap" in shown
    assert "independent: learned in " in shown
    assert "autoregressive: learned in " in shown
    assert "kept: independent gaussian_copula" in shown
    assert "synthesizer" not in shown
    assert "result.json" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.notebook
def test_private_training(tmp_path, monkeypatch):
    """On fewer patients; the epsilon that is shown is the ledger's."""
    monkeypatch.setenv("PRIVATE_ROWS", "1500")
    shown = "\n".join(executed("03_private_training.py", tmp_path))
    assert "every line of the schema must be public" in shown
    assert "10,000 declared patients: 1e-06" in shown
    spent = float(re.search(r"epsilon (\d\.\d+) of 3", shown)[1])
    assert 2.99 < spent <= 3
    assert recompute(tmp_path / "support2.ledger.json")[0] == pytest.approx(spent, abs=1e-4)
    assert "a fit needs a budget; however: epsilon" in shown
    assert "no budget" in shown


@pytest.mark.notebook
def test_reading_a_report(tmp_path, monkeypatch):
    """With less training on fewer patients; the copies are found, and the distances do not see them."""
    monkeypatch.setenv("READING_STEPS", "40")
    monkeypatch.setenv("READING_ROWS", "2400")
    shown = "\n".join(executed("04_reading_a_report.py", tmp_path))
    assert "people attacked, by coins" in shown
    assert "adjusted for four tests" in shown
    assert "a guess that was even" in shown
    assert "utility.hospdead.gap" in shown
    assert "right: verdict" in shown
    assert "WRONG" not in shown
    told = re.findall(r"<th>([^<]+)</th>\s*<td>([^<]+)</td>\s*<td>([^<]+)</td>", shown)
    harmless, copied = {name: each for name, each, _ in told}, {name: each for name, _, each in told}
    assert float(copied["DCR share"]) == pytest.approx(0.5, abs=0.05)
    assert (harmless["told from chance"], copied["told from chance"]) == ("False", "True")
    assert harmless["verdict"] != "above the limit"
    assert not list(tmp_path.iterdir())


@pytest.mark.notebook
def test_patients_over_time(tmp_path, monkeypatch):
    """On fewer patients and with little training; what is given stays, and what is odd is found."""
    pytest.importorskip("lightgbm", reason="classifiers of linked tables need the extra `boost`")
    monkeypatch.setenv("LINKED_STEPS", "12")
    monkeypatch.setenv("LINKED_PATIENTS", "60")
    shown = "\n".join(executed("08_patients_over_time.py", tmp_path))
    assert "conditions.patient -> patients: implied" in shown
    assert "names a row of `encounters`                     1     4" in shown
    assert "E9999" not in shown
    assert "LinkedRun(schema='synthea', model='timeline'" in shown
    assert "fidelity.integrity" in shown
    assert "fidelity.contradictions" in shown
    assert "<iframe" in shown
    assert "20 patients, {'F'}" in shown
    assert shown.count("kept as they were: True") == 3
    least, most = map(float, re.search(r"as it was: ([\d.]+) nats at most; with .* kg: ([\d.]+)", shown).groups())
    assert most >= least
    assert "synthetic/observations.parquet" in shown
    assert not list(tmp_path.iterdir())
