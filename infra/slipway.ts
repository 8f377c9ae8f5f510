/** All stacks of one stage. */
import type { App } from 'aws-cdk-lib';
import type { Stage } from '../shared/model/stage.ts';
import { ApiStack } from './api-stack.ts';
import { BuildStack } from './build-stack.ts';
import type { Bundles } from './bundles.ts';
import { DataStack } from './data-stack.ts';
import { requestFunctions } from './functions/index.ts';
import { HostsStack } from './hosts-stack.ts';
import { namesOf } from './names.ts';
import { NetworkStack } from './network-stack.ts';
import { readApiDocument, routesOf } from './openapi.ts';
import { OrganisationStack } from './organisation-stack.ts';

/**
 * Declares every stack of a stage. They belong to no particular account or region, so synth asks neither.
 * @throws ApiDocumentError when the OpenAPI document and the functions don't agree
 */
export function addSlipway(app: App, stage: Stage, bundles: Bundles): void {
  const names = namesOf(stage.stage);
  const common = { stage, names };
  const data = new DataStack(app, names.stack('data'), {
    ...common,
    // The others hold nothing that a deployment doesn't make again.
    terminationProtection: stage.retainData,
    description: 'Slipway: records, files, keys, people',
  });
  new BuildStack(app, names.stack('build'), {
    ...common,
    description: 'Slipway: builds of images',
    builderFolder: bundles.builderFolder,
    artifacts: data.artifacts,
  });
  const network = new NetworkStack(app, names.stack('network'), {
    ...common,
    description: "Slipway: the hosts' network",
    logsBucket: data.logsBucket,
  });
  const shared =
    stage.hosts === 'shared'
      ? new HostsStack(app, names.stack('hosts'), {
          ...common,
          description: 'Slipway: hosts of all organisations',
          vpc: network.vpc,
        })
      : undefined;
  for (const { id } of stage.organisations)
    new OrganisationStack(app, names.organisationStack(id), {
      ...common,
      description: `Slipway: hosts and queues of ${id}`,
      organisation: id,
      vpc: network.vpc,
      hosts: shared?.hosts,
    });
  new ApiStack(app, names.stack('api'), {
    ...common,
    description: 'Slipway: API and functions',
    data,
    bundles,
    routes: routesOf(
      readApiDocument(),
      requestFunctions.map(({ name }) => name),
    ),
  });
}
