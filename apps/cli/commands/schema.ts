import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { explainSchema } from '../schema/explain-schema.ts';
import { schemaPart, type JsonSchema } from '../schema/schema-part.ts';

export function addSchemaCommands(program: Command, cli: Cli): void {
  program
    .command('schema')
    .description('the JSON Schema of a pipeline file, for editors')
    .argument('[path]', 'only the part of one field, such as tasks.retries', '')
    .action(async (path: string) => {
      cli.io.out.write(`${JSON.stringify(schemaPart(await wholeSchema(), path), null, 2)}\n`);
    });
  program
    .command('explain')
    .description('what a field of a pipeline file means')
    .argument('<path>', 'such as tasks.retries or schedule.catchup')
    .action(async (path: string) => {
      const lines = explainSchema(path, schemaPart(await wholeSchema(), path));
      cli.io.out.write(`${lines.join('\n')}\n`);
    });
}

async function wholeSchema(): Promise<JsonSchema> {
  const { pipelineJsonSchema } = await import('#dag');
  return pipelineJsonSchema() as JsonSchema;
}
