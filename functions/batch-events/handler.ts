import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { EventBridgeEvent } from 'aws-lambda';
import { createArtifacts } from '../../shared/aws/artifacts.ts';
import { createJobLog } from '../../shared/aws/job-log.ts';
import { createJobs, type JobReport } from '../../shared/aws/jobs.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { createLogs } from '../../shared/log/log.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createTable } from '../../shared/store/table.ts';
import { takeIn } from './take-in.ts';

const environment = readVariables({ TABLE_NAME: true, ARTIFACTS_BUCKET: true, JOB_LOG_GROUP: true });
const table = createTable(environment.TABLE_NAME);
const now = () => new Date();
const log = createLog();
const client = new CloudWatchLogsClient({});
const dependencies = {
  table,
  stage: readStage(),
  jobs: createJobs(),
  jobLog: createJobLog(environment.JOB_LOG_GROUP, client),
  logs: createLogs({
    table,
    artifacts: createArtifacts(environment.ARTIFACTS_BUCKET),
    client,
    now,
  }),
  logGroup: environment.JOB_LOG_GROUP,
  now,
  log,
};

/** `Batch Job State Change` and `Batch Job Queue Blocked`: both carry the job. */
export async function handler(event: EventBridgeEvent<string, JobReport>): Promise<void> {
  await takeIn(dependencies, event.detail);
}
