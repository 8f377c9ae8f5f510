/** The launcher over the services of a small cloud, as the state machine calls it. */
import { BatchClient } from '@aws-sdk/client-batch';
import { ECRClient } from '@aws-sdk/client-ecr';
import { prepare } from '../../../functions/launcher/prepare.ts';
import { settle } from '../../../functions/launcher/settle.ts';
import { taskSchema } from '../../../functions/launcher/task.ts';
import { createEcrLogin } from '../../../shared/aws/ecr-login.ts';
import { createImageScans } from '../../../shared/aws/image-scans.ts';
import type { JobLog } from '../../../shared/aws/job-log.ts';
import { createJobDefinitions, type Jobs } from '../../../shared/aws/jobs.ts';
import { createRepositories } from '../../../shared/aws/repositories.ts';
import type { Stage } from '../../../shared/model/stage.ts';
import { createRegistryAccess } from '../../../shared/registry/access.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import type { Network } from '../../../shared/registry/network.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import type { Table } from '../../../shared/store/table.ts';
import type { CloudWithEndpoint } from '../../local/cloud-with-endpoint.ts';
import { account, launcherArn } from './cloud.ts';

interface LauncherParts {
  table: Table;
  stage: Stage;
  jobs: Jobs;
  jobLog: JobLog;
  logGroup: string;
  network: Network;
}

/** Serves the launcher in `cloud`; calls of an action that is `failing` are killed. Answers what it works with. */
export function serveLauncher(
  cloud: CloudWithEndpoint,
  { table, stage, jobs, jobLog, logGroup, network }: LauncherParts,
  failing: (action: string) => boolean = () => false,
) {
  const client = { ...cloud.client(), maxAttempts: 1 };
  const registries = createRegistryStore(table, cloud.registryHost, stage.privateRegistries);
  const ecrLogin = createEcrLogin(new ECRClient(client));
  const launcher = {
    table,
    stage,
    registries,
    access: createRegistryAccess({
      registries,
      // The secrets that the container agent reads are the ones that the launcher reads.
      secrets: { read: async (id) => cloud.secrets.get(id) },
      ecrLogin,
      ecrRegistry: cloud.registryHost,
      network,
    }),
    scans: createImageScans(new ECRClient(client)),
    ownEcr: async () =>
      createRegistryClient({ host: cloud.registryHost, network, credentials: await ecrLogin() }),
    repositories: createRepositories(new ECRClient(client)),
    definitions: createJobDefinitions(new BatchClient(client)),
    jobs,
    ecrRegistry: cloud.registryHost,
    logGroup,
    jobLog,
    roleArnPrefix: `arn:aws:iam::${account}:role/slipway-local-`,
    apiUrl: 'http://127.0.0.1:4780',
    now: () => new Date(),
  };
  cloud.functions.set(launcherArn, async (payload) => {
    try {
      const task = taskSchema.parse(payload);
      if (failing(task.action)) throw new Error('the launcher was killed');
      const answer =
        task.action === 'prepare'
          ? await prepare(launcher, { ...task, remainingMs: () => 60_000 })
          : await settle(launcher, task);
      return { payload: answer };
    } catch (error) {
      const { name, message } = error as Error;
      return { payload: { errorType: name, errorMessage: message }, functionError: 'Unhandled' };
    }
  });

  return launcher;
}
