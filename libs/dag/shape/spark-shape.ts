import { z } from 'zod';
import { expecting } from './expecting.ts';
import { nonEmptyText, text } from './names.ts';

const scalarWords = expecting('a text, number or boolean', '${{ ds }}');
const scalar = z.union([text, z.number(), z.boolean()], scalarWords);
const settingWords = expecting('a setting of Spark, whose name begins with "spark."', 'spark.sql.shuffle.partitions');
const className = expecting('the full name of a class', 'org.example.Train');
const packageWords = expecting('coordinates group:artifact:version', 'org.apache.spark:spark-avro_2.13:4.0.1');

export const sparkShape = z.union(
  [
    nonEmptyText,
    z.strictObject({
      file: nonEmptyText.describe('A .py or .jar file relative to dags/.'),
      class: z
        .string(className)
        .regex(/^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/, className)
        .optional()
        .describe('Main class of a .jar; default: the one that its manifest names.'),
      args: z.array(scalar, expecting('a list of arguments', '[--day, "${{ ds }}"]')).optional(),
      conf: z
        .record(
          z.string().regex(/^spark\.[\w.-]+$/, settingWords),
          scalar,
          expecting('a map', '{ spark.executor.memory: 2g }'),
        )
        .optional()
        .describe('Settings of Spark. They are on the command line: no place for secrets.'),
      master: nonEmptyText
        .optional()
        .describe('local[2], spark://…, yarn or k8s://…, or one of the environment: ${{ env.vars.spark }}.'),
      packages: z
        .array(
          z.string(packageWords).regex(/^[\w.-]+:[\w.-]+:[\w.-]+$/, packageWords),
          expecting('a list of coordinates', '[org.apache.spark:spark-avro_2.13:4.0.1]'),
        )
        .optional()
        .describe('Fetched from Maven by spark-submit.'),
      py_files: z
        .array(nonEmptyText, expecting('a list of .py, .zip or .egg files below dags/', '[lib/helpers.py]'))
        .optional()
        .describe('Python files that executors on other machines need.'),
    }),
  ],
  expecting('a .py or .jar file, or a map with file, class, args, conf, master, packages, py_files', 'churn/sums.py'),
);

export type SparkShape = z.infer<typeof sparkShape>;
