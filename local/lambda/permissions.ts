/** Functions' resource policies: which AWS service may call them, for which rule, schedule or API. */
import { matches } from '../iam/patterns.ts';
import { AwsError, type DeclaredResource, type Invoker } from '../platform.ts';

interface Permission {
  functionName: string;
  principal: string;
  sourceArn?: string;
}

export class Permissions {
  private readonly all: Permission[];

  constructor(resources: DeclaredResource[]) {
    this.all = resources
      .filter(({ type }) => type === 'AWS::Lambda::Permission')
      .map(({ properties }) => ({
        functionName: String(properties.FunctionName).replace(/^.*:function:/, ''),
        principal: properties.Principal,
        sourceArn: properties.SourceArn,
      }));
  }

  /** @throws AwsError `AccessDeniedException` when no permission of the function admits the service */
  check(functionName: string, invoker: Invoker): void {
    const admitted = this.all.some(
      (one) =>
        one.functionName === functionName &&
        one.principal === invoker.service &&
        (one.sourceArn === undefined || matches(one.sourceArn, invoker.sourceArn)),
    );
    if (admitted) return;
    throw new AwsError(
      'AccessDeniedException',
      `${invoker.service} is not authorized to perform: lambda:InvokeFunction on function ${functionName} for ${invoker.sourceArn} because no resource-based policy allows it`,
      403,
    );
  }
}
