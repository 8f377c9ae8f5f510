import { expect, test } from 'vitest';
import { evaluatePolicy, parsePolicy } from '../../local/iam/policy.ts';
import { exampleStage, synthesize } from './synthesized.ts';

const { find, ofType } = synthesize();
const project = find('AWS::CodeBuild::Project').properties;

test('B1 every phase runs the bundled builder, and nothing that a user writes', () => {
  const { phases } = JSON.parse(project.Source.BuildSpec);
  expect(
    Object.entries<{ commands: string[] }>(phases).map(([phase, { commands }]) => [phase, commands]),
  ).toEqual([
    ['install', ['test "$BUILDER_HOST" = shared || node builder.mjs install']],
    ['pre_build', ['node builder.mjs prepare']],
    ['build', ['node builder.mjs build']],
    ['post_build', ['node builder.mjs push']],
  ]);
  expect(project.Source).toMatchObject({ Type: 'S3', Location: expect.stringMatching(/^cdk-.*\.zip$/) });
});

test('B1 builds have a container engine, an image of CodeBuild, and the mode that the stage chose', () => {
  expect(project.Environment).toMatchObject({
    Image: 'aws/codebuild/standard:8.0',
    PrivilegedMode: true,
    Type: 'LINUX_CONTAINER',
  });
  const variables = Object.fromEntries(
    project.Environment.EnvironmentVariables.map((one: { Name: string; Value: string }) => [
      one.Name,
      one.Value,
    ]),
  );
  expect(variables).toEqual({
    ARTIFACTS_BUCKET: find('AWS::S3::Bucket', 'artifacts').physicalId,
    BUILDER_CACHE_MODE: 'registry',
    BUILDER_HOST: 'dedicated',
  });
});

test('B9 builds of different organisations share no cache of the project', () => {
  expect(project.Cache).toEqual({ Type: 'NO_CACHE' });
});

test('builds queue instead of being refused, and end within what CodeBuild allows', () => {
  expect(project).not.toHaveProperty('ConcurrentBuildLimit');
  expect(project).toMatchObject({ TimeoutInMinutes: 60, QueuedTimeoutInMinutes: 60 });
  const short = synthesize(exampleStage({ queueTimeoutSeconds: 10, buildTimeoutSeconds: 129_600 }));
  expect(short.find('AWS::CodeBuild::Project').properties).toMatchObject({
    TimeoutInMinutes: 2160,
    QueuedTimeoutInMinutes: 5,
  });
});

test('B3 logs go to the group that the functions read', () => {
  expect(project.LogsConfig.CloudWatchLogs).toMatchObject({
    GroupName: '/slipway/example/builds',
    Status: 'ENABLED',
  });
});

test('B1 a build that was queued before a deployment may still fetch its builder', () => {
  const location: string = project.Source.Location;
  const [bucket, key] = [location.slice(0, location.indexOf('/')), location.slice(location.indexOf('/') + 1)];
  expect(key).toMatch(/^slipway-example\/builder\/[0-9a-f]{64}\.zip$/);
  const resource = `arn:aws:s3:::${bucket}/${key.replace(/.{8}\.zip$/, '00000000.zip')}`;
  const builders = ofType('AWS::IAM::Role').filter(({ physicalId }) => physicalId.endsWith('-builder'));
  expect(builders).not.toEqual([]);
  for (const { physicalId, properties } of builders) {
    const statements = properties.Policies.flatMap((policy: { PolicyDocument: unknown }) =>
      parsePolicy(policy.PolicyDocument, physicalId),
    );
    expect(evaluatePolicy(statements, { action: 's3:GetObject', resource, context: {} })).toBe('Allow');
  }
});
