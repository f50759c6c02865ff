"""Jobs: work that is kept in a record, done in worker processes, and survives their end.

Knows neither HTTP nor what the work is: that comes in as `work.Work`. `room.JobRoom` is what the
rest of the server talks to.
"""

from samgis_process.jobs.job import Job, Query, Status
from samgis_process.jobs.outputs import OutputStore
from samgis_process.jobs.room import JobRoom, Limits
from samgis_process.jobs.store import JobStore

__all__ = ["Job", "JobRoom", "JobStore", "Limits", "OutputStore", "Query", "Status"]
