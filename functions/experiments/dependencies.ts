import type { Executions } from '../../shared/aws/executions.ts';
import type { Jobs } from '../../shared/aws/jobs.ts';
import type { Logs } from '../../shared/log/log.ts';
import type { Stage } from '../../shared/model/stage.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Table } from '../../shared/store/table.ts';

/** What the use cases of this function work with. */
export interface ExperimentsDependencies {
  table: Table;
  stage: Stage;
  executions: Executions;
  jobs: Jobs;
  logs: Logs;
  /** Of all jobs. */
  logGroup: string;
  log: Log;
}
