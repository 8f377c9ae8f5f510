import { Duration, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Names } from '../names.ts';
import type { ApiRoute } from '../openapi.ts';
import { HouseLogGroup } from './log-group.ts';

/** The HTTP API. Functions are added after it, since they are told its address. */
export class RequestApi extends Construct {
  readonly api: HttpApi;
  private readonly stage: HttpStage;

  constructor(scope: Construct, id: string, { names }: { names: Names }) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', { apiName: names.prefix, createDefaultStage: false });
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      // Enough for a large team's scripts; a loop gone wild ends here instead of on the bill.
      throttle: { rateLimit: 100, burstLimit: 200 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new HouseLogGroup(this, 'AccessLog', {
            logGroupName: names.deliveredLogGroup('api'),
            retention: RetentionDays.THREE_MONTHS,
          }),
        ),
        format: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
      },
    });
  }

  /** Adds the routes: the authorizer stands before each that isn't expressly open. */
  addRoutes(routes: ApiRoute[], functions: Map<string, IFunction>, authorizerFunction: IFunction): void {
    const authorizer = new HttpLambdaAuthorizer('Authorizer', authorizerFunction, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      identitySource: ['$request.header.Authorization'],
      // A revoked token lives at most this long.
      resultsCacheTtl: Duration.seconds(60),
    });
    const integrations = new Map(
      [...functions].map(([name, one]) => [
        name,
        // One permission per function: one per route would outgrow the function's policy.
        new HttpLambdaIntegration(`To-${name}`, one, { scopePermissionToRoute: false }),
      ]),
    );
    for (const route of routes) {
      const integration = integrations.get(route.function);
      if (!integration) throw new Error(`No function ${route.function} for ${route.method} ${route.path}`);
      const [added] = this.api.addRoutes({
        path: route.path,
        methods: [httpMethods[route.method]],
        integration,
        authorizer: route.open ? new HttpNoneAuthorizer() : authorizer,
      });
      if (added && route.open)
        Validations.of(added).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason:
            "Health and the OpenAPI document are public. A build's page opens with the key in its mail's link only.",
        });
      if (added) this.stage.node.addDependency(added);
    }
    const stage = this.stage.node.defaultChild as CfnStage;
    // Each with a throttle of its own: strangers, and followers who come back at once, take nothing from the others.
    stage.routeSettings = Object.fromEntries(
      routes.flatMap((route) => {
        const throttle = route.open ? throttles.open : route.waits ? throttles.waits : undefined;
        return throttle ? [[`${httpMethods[route.method]} ${route.path}`, throttle]] : [];
      }),
    );
  }
}

/** As CloudFormation takes them: the settings of a route are JSON to it. */
const throttles = {
  open: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
  waits: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
};

const httpMethods: Record<ApiRoute['method'], HttpMethod> = {
  get: HttpMethod.GET,
  put: HttpMethod.PUT,
  post: HttpMethod.POST,
  patch: HttpMethod.PATCH,
  delete: HttpMethod.DELETE,
};

/**
 * Who asked for what, and how it went; never a header or a body, so no token. And nothing that a caller or an error can
 * word, such as the path: API Gateway puts values into the line as they are, and a quotation mark would end its JSON. The
 * functions log the path of each request with its `requestId`.
 */
const accessLogFields = {
  time: '$context.requestTime',
  requestId: '$context.requestId',
  sourceIp: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  organisation: '$context.authorizer.organisation',
  member: '$context.authorizer.memberId',
  latencyMs: '$context.responseLatency',
  functionLatencyMs: '$context.integrationLatency',
  responseBytes: '$context.responseLength',
  refusal: '$context.error.responseType',
  functionStatus: '$context.integrationStatus',
};
