/** What follows builds, wired to AWS: the same for whoever hears of their ends and whoever looks for them. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createExecutions } from '../aws/executions.ts';
import { createMail } from '../aws/mail.ts';
import type { readVariables } from '../environment/variables.ts';
import { createLogs } from '../log/log.ts';
import type { Stage } from '../model/stage.ts';
import type { Log } from '../observability/log.ts';
import type { Table } from '../store/table.ts';
import { acceptDependencies, acceptingVariables } from './accept/wiring.ts';
import type { CloseDependencies } from './close.ts';

export const closingVariables = {
  ...acceptingVariables,
  BUILD_LOG_GROUP: true,
  STATE_MACHINE_ARN: true,
  API_URL: true,
} as const;

export function closingDependencies(
  variables: ReturnType<typeof readVariables<keyof typeof closingVariables>>,
  parts: { table: Table; stage: Stage; now: () => Date; log: Log },
): CloseDependencies {
  const accepting = acceptDependencies(variables, parts);
  const { table, stage, now } = parts;
  return {
    ...accepting,
    executions: createExecutions(variables.STATE_MACHINE_ARN),
    logs: createLogs({ table, artifacts: accepting.artifacts, client: new CloudWatchLogsClient({}), now }),
    logGroup: variables.BUILD_LOG_GROUP,
    mail: createMail(stage.mailFrom),
    apiUrl: variables.API_URL,
  };
}
