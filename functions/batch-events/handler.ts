import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { EventBridgeEvent } from 'aws-lambda';
import { createJobLog } from '../../shared/aws/job-log.ts';
import { createJobs, type JobReport } from '../../shared/aws/jobs.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createTable } from '../../shared/store/table.ts';
import { takeIn } from './take-in.ts';

const environment = readVariables({ TABLE_NAME: true, JOB_LOG_GROUP: true });
const table = createTable(environment.TABLE_NAME);
const log = createLog();

const dependencies = {
  table,
  stage: readStage(),
  jobs: createJobs(),
  jobLog: createJobLog(environment.JOB_LOG_GROUP, new CloudWatchLogsClient({})),
  now: () => new Date(),
  log,
};

/** `Batch Job State Change` and `Batch Job Queue Blocked`: both carry the job. */
export async function handler(event: EventBridgeEvent<string, JobReport>): Promise<void> {
  await takeIn(dependencies, event.detail);
}
