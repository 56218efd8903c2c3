import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit trail takes new rows only. */
export class AuditAppendOnly1790000000003 implements MigrationInterface {
  name = 'AuditAppendOnly1790000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the table % takes new rows only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete on audit for each row execute function refuse_change();
create trigger audit_never_emptied before truncate on audit for each statement execute function refuse_change();
`;
