import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which alert a success mends, without looking at those that were mended before. */
export class MendedAlerts1790000000030 implements MigrationInterface {
  name = 'MendedAlerts1790000000030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- A run.failed after which its run was told of as recovered. Kept by the database, so that it is true whoever writes alerts.
alter table alert_delivery add column mended boolean not null default false;
update alert_delivery f set mended = true
where event = 'run.failed'
  and exists (select from alert_delivery r where r.run_id = f.run_id and r.environment = f.environment and r.pipeline = f.pipeline
                and r.event = 'run.recovered' and r.id > f.id);
create index alert_delivery_unmended on alert_delivery (environment, pipeline, run_id) where event = 'run.failed' and not mended;
drop index alert_delivery_of_pipeline;
create function mend_alerts() returns trigger language plpgsql as $$
begin
  update alert_delivery set mended = true
  where environment = new.environment and pipeline = new.pipeline and run_id = new.run_id
    and event = 'run.failed' and not mended and id < new.id;
  return null;
end $$;
create trigger alert_mends after insert on alert_delivery for each row when (new.event = 'run.recovered') execute function mend_alerts();
`;
