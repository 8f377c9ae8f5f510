import { DefaultStackSynthesizer, Duration, Stack, Validations } from 'aws-cdk-lib';
import { BuildSpec, ComputeType, LinuxBuildImage, Project, Source } from 'aws-cdk-lib/aws-codebuild';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { Stage } from '../shared/model/stage.ts';
import { builderAccess } from './access/builder.ts';
import { arnsOf } from './access/deployment.ts';
import { AccessRole, serviceOfAccount } from './constructs/role.ts';
import type { SlipwayStackProps } from './data-stack.ts';

export interface BuildStackProps extends SlipwayStackProps {
  /** Folder with `builder.mjs`. */
  builderFolder: string;
  artifacts: IBucket;
}

/** The project that runs every build, and for each organisation the role that its builds run with. */
export class BuildStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { stage, names, builderFolder, artifacts, ...props }: BuildStackProps,
  ) {
    super(scope, id, {
      ...props,
      synthesizer: new DefaultStackSynthesizer({ bucketPrefix: names.builderAssets }),
    });
    const builder = new Asset(this, 'Builder', { path: builderFolder });

    // Every build names its organisation's role instead. One that forgot to can do nothing with this one.
    const withoutAccess = new AccessRole(this, 'ProjectRole', {
      description: 'Builds that name no organisation: may do nothing',
      assumedBy: serviceOfAccount(this, 'codebuild'),
      access: [],
    });
    const project = new Project(this, 'Project', {
      projectName: names.buildProject,
      description: 'Builds Dockerfiles and pushes the images',
      role: withoutAccess.withoutPolicyUpdates(),
      source: Source.s3({ bucket: builder.bucket, path: builder.s3ObjectKey }),
      buildSpec: buildSpec(),
      environment: {
        buildImage: LinuxBuildImage.STANDARD_8_0,
        computeType: ComputeType.SMALL,
        // Builds run a container engine of their own.
        privileged: true,
      },
      environmentVariables: {
        ARTIFACTS_BUCKET: { value: artifacts.bucketName },
        BUILDER_CACHE_MODE: { value: stage.builder.cacheMode },
        BUILDER_HOST: { value: stage.builder.host },
      },
      logging: {
        cloudWatch: { logGroup: LogGroup.fromLogGroupName(this, 'Logs', names.buildLogGroup) },
      },
      timeout: Duration.seconds(stage.buildTimeoutSeconds),
      queuedTimeout: Duration.minutes(queuedTimeoutMinutes(stage)),
      // A limit of the project's own would refuse builds instead of queueing them.
      grantReportGroupPermissions: false,
    });
    Validations.of(project).acknowledge({
      id: 'AwsSolutions-CB4',
      reason:
        'The key would encrypt output artifacts, and there are none: images go to a registry, results to the bucket.',
    });

    for (const organisation of stage.organisations)
      new AccessRole(this, `Builder-${organisation.id}`, {
        roleName: names.role(organisation.id, 'builder'),
        description: `Builds of ${organisation.id}`,
        assumedBy: serviceOfAccount(this, 'codebuild'),
        access: builderAccess({
          ...arnsOf(this),
          names,
          organisation: organisation.id,
          artifactsBucketArn: artifacts.bucketArn,
          sourceBucketArn: builder.bucket.bucketArn,
          sourcePrefix: names.builderAssets,
        }),
      });
  }
}

/** Fixed here: nothing that a user writes becomes a command of the build host. */
function buildSpec(): BuildSpec {
  return BuildSpec.fromObject({
    version: '0.2',
    phases: {
      install: {
        'runtime-versions': { nodejs: 24 },
        // On a machine that is somebody's there is nothing to ready, and a process less to wait for.
        commands: ['test "$BUILDER_HOST" = shared || node builder.mjs install'],
      },
      pre_build: { commands: ['node builder.mjs prepare'] },
      build: { commands: ['node builder.mjs build'] },
      post_build: { commands: ['node builder.mjs push'] },
    },
  });
}

/** CodeBuild queues for 5 to 480 minutes. */
function queuedTimeoutMinutes(stage: Stage): number {
  return Math.min(480, Math.max(5, Math.ceil(stage.queueTimeoutSeconds / 60)));
}
