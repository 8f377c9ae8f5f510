/**
 * A cloud in a process of its own, to be killed: `node child.ts <build|job|execution> <home>`. It starts one piece of work
 * and prints `{"id": …}` once that is under way.
 */
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
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
