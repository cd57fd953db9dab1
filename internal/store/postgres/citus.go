package postgres

import (
	"context"
	"errors"
	"fmt"
)

// distribution has Citus distribute the rows of a tenant to one node, so that every request is
// served by that node. The small tables that a request reads before it knows the tenant are on all
// nodes.
var distribution = []struct{ table, statement string }{
	{"tenants", "SELECT create_distributed_table('tenants', 'tenant')"},
	{"customers", "SELECT create_distributed_table('customers', 'tenant', colocate_with => 'tenants')"},
	{"terms", "SELECT create_distributed_table('terms', 'tenant', colocate_with => 'tenants')"},
	{"changes", "SELECT create_distributed_table('changes', 'tenant', colocate_with => 'tenants')"},
	{"idempotency_records", "SELECT create_distributed_table('idempotency_records', 'tenant', colocate_with => 'tenants')"},
	{"accounts", "SELECT create_reference_table('accounts')"},
	{"keys", "SELECT create_reference_table('keys')"},
	{"secrets", "SELECT create_reference_table('secrets')"},
	{"copy_state", "SELECT create_reference_table('copy_state')"},
}

// Distribute distributes the tables that are not yet distributed over the nodes of Citus, with their
// rows. No server may be running meanwhile.
func (s *Store) Distribute(ctx context.Context) error {
	var installed bool
	err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").Scan(&installed)
	if err != nil {
		return err
	}
	if !installed {
		return errors.New("the database lacks Citus: run CREATE EXTENSION citus and add its nodes")
	}
	for _, d := range distribution {
		var done bool
		if err := s.pool.QueryRow(ctx, selectDistributed, d.table).Scan(&done); err != nil {
			return err
		}
		if done {
			continue
		}
		if _, err := s.pool.Exec(ctx, d.statement); err != nil {
			return fmt.Errorf("distribute table %s: %w", d.table, err)
		}
	}
	return nil
}

const selectDistributed = `
	SELECT EXISTS (
		SELECT
		FROM pg_dist_partition
		WHERE logicalrelid = to_regclass($1)
	)`
