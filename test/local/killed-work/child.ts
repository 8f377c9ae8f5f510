/**
 * A cloud in a process of its own, to be killed: `node child.ts <build|job|removal|execution> <home>`. It starts one piece of work
 * and prints `{"id": …}` once that is under way; `removal` once the job's container is gone, which it is never told.
 */
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { batchPlace } from '../batch/place.ts';
import { createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { cloudWithProject } from '../codebuild/project.ts';
import { buildPhases, jobScript, logOf, machineArn, stateMachines, withStateMachines } from './work.ts';

const [, , kind, home = ''] = process.argv;
const cloud = await createCloudWithEndpoint(home);
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((wait) => setTimeout(wait, 10));
};

if (kind === 'build') {
  const { startBuild, log } = await cloudWithProject(buildPhases, {}, {}, cloud);
  const id = await startBuild();
  await until(() => log(id).includes('under way'));
  print({ id });
} else if (kind === 'removal') {
  const engine = createEngine(engineAddress(process.env));
  const gone = Promise.withResolvers<void>();
  const remove = async (id: string): Promise<never> => {
    await engine.remove(id);
    gone.resolve();
    return new Promise(() => {});
  };
  const place = await batchPlace({ engine: { ...engine, remove } }, cloud);
  const [command = ''] = process.argv.slice(4);
  const definition = await place.register({ command: ['/bin/sh', '-c', command] });
  const id = await place.submit({ jobDefinition: definition, retryStrategy: { attempts: 2 } });
  await gone.promise;
  print({ id });
} else {
  const place = await batchPlace({}, cloud);
  const definition = await place.register({ command: ['/bin/sh', '-c', jobScript] });
  if (kind === 'job') {
    const id = await place.submit({ jobDefinition: definition });
    await until(() => logOf(cloud, id).length > 1);
    print({ id });
  } else {
    await withStateMachines(cloud, place.batch, stateMachines(definition));
    const client = new SFNClient(cloud.client());
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn: machineArn, input: '{}', name: 'one' }),
    );
    const running = await cloud.event(
      ({ detail }) => detail.status === 'RUNNING' && detail.jobId !== undefined,
    );
    print({ id: executionArn, jobId: running.detail.jobId });
  }
}
