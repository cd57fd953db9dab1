package postgres

import (
	"context"
	"errors"
	"fmt"
)

// spreading has Citus spread each table over its nodes: a customer and all that is
// his by his id, the map of numbers by the number, receipts by their keys. What is
// small and asked for by all is on every node.
var spreading = []struct{ table, statement string }{
	{"customers", "SELECT create_distributed_table('customers', 'id')"},
	{"changes", "SELECT create_distributed_table('changes', 'customer_id', colocate_with => 'customers')"},
	{"phones", "SELECT create_distributed_table('phones', 'id', colocate_with => 'customers')"},
	{"numbers", "SELECT create_distributed_table('numbers', 'number', colocate_with => 'none')"},
	{"receipts", "SELECT create_distributed_table('receipts', 'key', colocate_with => 'none')"},
	{"tenants", "SELECT create_reference_table('tenants')"},
	{"feed", "SELECT create_reference_table('feed')"},
	{"accounts", "SELECT create_reference_table('accounts')"},
	{"keys", "SELECT create_reference_table('keys')"},
	{"secrets", "SELECT create_reference_table('secrets')"},
	{"compatibility", "SELECT create_reference_table('compatibility')"},
	{"copying", "SELECT create_reference_table('copying')"},
}

// Distribute spreads over the nodes of Citus those tables that are not yet: all, or
// those that a newer schema has added. Rows that there are move to their shards. Until
// customers are spread, no server may be running.
func (s *Store) Distribute(ctx context.Context) error {
	var there bool
	err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").Scan(&there)
	if err != nil {
		return err
	}
	if !there {
		return errors.New("the database lacks Citus: CREATE EXTENSION citus, and name its nodes")
	}
	for _, one := range spreading {
		spread, err := s.isSpread(ctx, one.table)
		if err != nil {
			return err
		}
		if spread {
			continue
		}
		if _, err := s.pool.Exec(ctx, one.statement); err != nil {
			return fmt.Errorf("spread the table %s: %w", one.table, err)
		}
	}
	return s.findShards(ctx)
}

// findShards finds out whether the tables are spread over nodes.
func (s *Store) findShards(ctx context.Context) error {
	var citus bool
	err := s.pool.QueryRow(ctx, "SELECT to_regclass('pg_dist_partition') IS NOT NULL").Scan(&citus)
	if err == nil && citus {
		s.sharded, err = s.isSpread(ctx, "customers")
	}
	return err
}

// isSpread asks Citus, which must be there.
func (s *Store) isSpread(ctx context.Context, table string) (spread bool, err error) {
	err = s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass($1))", table).Scan(&spread)
	return spread, err
}
