export { importAirflow, type AirflowSource, type ImportedAirflow, type ImportedFile } from './import-airflow.ts';
export type { AirflowVersion } from './read-timetable.ts';
export type { ImportNote } from './report.ts';
