/** A cloud with CodeBuild and one project, for the tests of builds. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BatchGetBuildsCommand,
  CodeBuildClient,
  StartBuildCommand,
  type StartBuildCommandInput,
} from '@aws-sdk/client-codebuild';
import { type CodeBuildParts, createCodeBuild } from '../../../local/codebuild/codebuild.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';

export const serviceRole = 'arn:aws:iam::000000000000:role/acme-builder';
export const logGroup = '/slipway/test/builds';

export interface Phases {
  install?: { commands: string[] };
  pre_build?: { commands: string[] };
  build?: Record<string, unknown>;
  post_build?: { commands: string[] };
}

export async function cloudWithProject(
  phases: Phases,
  properties: Record<string, unknown> = {},
  parts: CodeBuildParts = {},
  cloud?: CloudWithEndpoint,
) {
  const place = cloud ?? (await createCloudWithEndpoint());
  const source = mkdtempSync(join(place.home, 'source-'));
  mkdirSync(join(source, 'folder'));
  writeFileSync(join(source, 'folder', 'hello.txt'), 'hello from the source\n');
  place.assets.set('assets/source.zip', { path: source, packaging: 'zip' });
  const codebuild = createCodeBuild(place, parts);
  place.serve(codebuild);
  const declared = {
    ServiceRole: serviceRole,
    Source: {
      Type: 'S3',
      Location: 'assets/source.zip',
      BuildSpec: JSON.stringify({
        version: '0.2',
        env: { 'exported-variables': ['RESULT'] },
        phases,
      }),
    },
    Artifacts: { Type: 'NO_ARTIFACTS' },
    Environment: {
      Type: 'LINUX_CONTAINER',
      Image: 'aws/codebuild/standard:8.0',
      ComputeType: 'BUILD_GENERAL1_SMALL',
      PrivilegedMode: true,
      EnvironmentVariables: [{ Name: 'DECLARED', Value: 'declared value' }],
    },
    LogsConfig: { CloudWatchLogs: { Status: 'ENABLED', GroupName: logGroup } },
    ...properties,
  };
  await codebuild.deploy?.([
    {
      stack: 's',
      logicalId: 'Project',
      type: 'AWS::CodeBuild::Project',
      properties: declared,
      physicalId: 'builds',
      attributes: {},
    },
  ]);
  await codebuild.start?.();
  const client = new CodeBuildClient({ ...place.client(), maxAttempts: 1 });

  return {
    cloud: place,
    codebuild,
    client,
    async startBuild(input: Partial<StartBuildCommandInput> = {}) {
      const { build } = await client.send(new StartBuildCommand({ projectName: 'builds', ...input }));
      if (!build?.id) throw new Error('No build');
      return build.id;
    },
    async get(id: string) {
      const { builds } = await client.send(new BatchGetBuildsCommand({ ids: [id] }));
      const [build] = builds ?? [];
      if (!build) throw new Error(`No build ${id}`);
      return build;
    },
    ended: (id: string, timeoutSeconds?: number) =>
      place.event(
        ({ 'detail-type': type, detail }) =>
          type === 'CodeBuild Build State Change' &&
          String(detail['build-id']).endsWith(id) &&
          detail['build-status'] !== 'IN_PROGRESS',
        timeoutSeconds,
      ),
    log: (id: string) => place.lines(logGroup, id.split(':')[1] ?? '').map((line) => line.replace(/\n$/, '')),
  };
}
