"""What a campaign found: each kind once, as a case to run again, with how often it came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.case import Case


@dataclass(frozen=True)
class Finding:
    """One way in which cases of a subject broke the law."""

    subject: str
    breach: str
    """`kind: where`."""
    path: Path
    """The first case of it."""


@dataclass
class Findings:
    """Writes `<subject>-<digest>/case.json` below a folder, with what the command printed."""

    folder: Path
    cases: Counter[str] = field(default_factory=Counter)
    """Cases that were run, by subject."""
    counts: Counter[Finding] = field(default_factory=Counter)
    _known: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(self, case: Case, breaches: list[str], stdout: bytes, stderr: bytes) -> None:
        """A case that was run, whether it broke the law or not."""
        self.cases[case.subject] += 1
        for breach in breaches:
            key = (case.subject, breach)
            if key not in self._known:
                path = self._write(case, breaches, stdout, stderr)
                self._known[key] = Finding(case.subject, breach, path)
            self.counts[self._known[key]] += 1

    def _write(self, case: Case, breaches: list[str], stdout: bytes, stderr: bytes) -> Path:
        folder = self.folder / f"{case.subject}-{case.digest}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "case.json"
        path.write_text(case.to_json() + "\n", "ascii")
        (folder / "breaches.txt").write_text("\n".join(breaches) + "\n", "utf-8", "replace")
        (folder / "stdout").write_bytes(stdout)
        (folder / "stderr").write_bytes(stderr)
        return path

    def table(self, seconds: float) -> str:
        """Cases and findings of each subject, then each finding with its reproduction."""
        rows = [f"{'subject':14}{'cases':>8}{'broken':>8}"]
        for subject in sorted(self.cases):
            broken = sum(n for finding, n in self.counts.items() if finding.subject == subject)
            rows.append(f"{subject:14}{self.cases[subject]:8}{broken:8}")
        total = sum(self.cases.values())
        rows.append(
            f"{'all':14}{total:8}{sum(self.counts.values()):8}   "
            f"{total / max(seconds, 1e-9):.1f} cases/s, {seconds / 60:.1f} minutes"
        )
        kinds = Counter[str]()
        for finding, count in self.counts.items():
            kinds[finding.breach.partition(":")[0]] += count
        rows += [f"{kind:24}{count:6}" for kind, count in kinds.most_common()]
        for finding, count in sorted(self.counts.items(), key=lambda item: item[0].breach):
            rows.append(f"{count:6}  {finding.subject:12} {_shown(finding.breach)}")
            rows.append(f"        python -m tests.fuzz --replay {finding.path}")
        return "\n".join(rows)


def _shown(text: str) -> str:
    """On one line, whatever it holds."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
