import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { z, type ZodType } from 'zod';

/** Serves the description of the API and a page to read and try it at `/api/docs`; its source are the zod shapes. */
export function documentApi(
  app: NestFastifyApplication,
  controllers: readonly NewableFunction[],
  version: string,
): void {
  controllers.forEach(declareParameters);
  const about = new DocumentBuilder()
    .setTitle('Sluice')
    .setDescription(
      'Instants are ISO 8601 in UTC, ids are strings, absent values are null. Lists are `{ items, next }`.',
    )
    .setVersion(version)
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, about, {
    operationIdFactory: (_controller, method) => method,
    standardSchemaConverter: (shape, { schemaType }) => ({
      schema: z.toJSONSchema(shape as ZodType, {
        target: 'openapi-3.0',
        io: schemaType,
        unrepresentable: 'any',
        reused: 'inline',
      }),
    }),
  });
  SwaggerModule.setup('api/docs', app, document, {
    customSiteTitle: 'Sluice API',
    jsonDocumentUrl: 'api/docs/openapi.json',
    raw: ['json'],
    swaggerOptions: { requestInterceptor: proveOrigin },
  });
}

/** Runs in the browser: requests tried out on the page carry the header that writes with a cookie need. */
function proveOrigin(request: { headers: Record<string, string> }): object {
  request.headers['x-sluice'] = '1';
  return request;
}

/** The documentation looks for TypeScript's parameter types, which our build does not emit; their number is all it needs. */
function declareParameters(controller: NewableFunction): void {
  const prototype = controller.prototype as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method = prototype[name];
    if (name !== 'constructor' && typeof method === 'function' && method.length > 0)
      Reflect.defineMetadata(
        'design:paramtypes',
        Array.from({ length: method.length }, () => Object),
        prototype,
        name,
      );
  }
}
