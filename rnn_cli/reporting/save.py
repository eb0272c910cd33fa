"""A report and its charts, written to where a user wants them: whole or not at all."""

from pathlib import Path

from rnn_cli.bundle import disk
from rnn_cli.reporting.charts import draw_all
from rnn_cli.reporting.content import Report
from rnn_cli.reporting.page import page
from rnn_cli.reporting.pictures import save_all
from rnn_cli.reporting.targets import check_report


def save(report: Report, *, out: Path | None, plots: Path | None, force: bool) -> int:
    """Write the page to the file `out`, the charts to the folder `plots`; answers how many charts there are.

    Raises `UsageError` where something stands that may not be replaced, `WriteError` where the disk refuses.
    """
    charts = draw_all(report)
    if out is not None:
        content = page(report, charts)  # before the charts get the titles that they have as files
        with disk.told(out, option="--report"), disk.whole_file(out) as file:
            disk.write(file, content)
            check_report(out, force=force)  # something may have come in the meantime
    if plots is not None:
        save_all(charts, plots, force=force)
    return len(charts)
