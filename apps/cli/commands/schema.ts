import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { explainSchema } from '../schema/explain-schema.ts';
import { schemaPart, type JsonSchema } from '../schema/schema-part.ts';

interface SchemaOptions {
  readonly tests?: boolean;
}

export function addSchemaCommands(program: Command, cli: Cli): void {
  program
    .command('schema')
    .description('the JSON Schema of a pipeline file or a file of tests, for editors')
    .argument('[path]', 'only the part of one field, such as tasks.retries', '')
    .option('--tests', 'of the files in dags/tests/')
    .action(async (path: string, options: SchemaOptions) => {
      cli.io.out.write(`${JSON.stringify(schemaPart(await wholeSchema(options), path), null, 2)}\n`);
    });
  program
    .command('explain')
    .description('what a field of a pipeline file or a file of tests means')
    .argument('<path>', 'such as tasks.retries or schedule.catchup')
    .option('--tests', 'of the files in dags/tests/')
    .action(async (path: string, options: SchemaOptions) => {
      const lines = explainSchema(path, schemaPart(await wholeSchema(options), path));
      cli.io.out.write(`${lines.join('\n')}\n`);
    });
}

async function wholeSchema({ tests }: SchemaOptions): Promise<JsonSchema> {
  const { pipelineJsonSchema, testsJsonSchema } = await import('#dag');
  return (tests ? testsJsonSchema() : pipelineJsonSchema()) as JsonSchema;
}
