package postgres

import (
	"context"
	"errors"
	"fmt"
)

// distribute has Citus spread the tables over its nodes: a customer and his changes
// by his id, the map of numbers by the number, receipts by their keys. What is small
// and asked for by all is on every node.
var distribute = []string{
	"SELECT create_distributed_table('customers', 'id')",
	"SELECT create_distributed_table('changes', 'customer_id', colocate_with => 'customers')",
	"SELECT create_distributed_table('numbers', 'number', colocate_with => 'none')",
	"SELECT create_distributed_table('receipts', 'key', colocate_with => 'none')",
	"SELECT create_reference_table('tenants')",
	"SELECT create_reference_table('feed')",
	"SELECT create_reference_table('accounts')",
	"SELECT create_reference_table('keys')",
	"SELECT create_reference_table('secrets')",
	"SELECT create_reference_table('compatibility')",
	"SELECT create_reference_table('copying')",
}

// Distribute spreads the tables over the nodes of Citus, unless that is done. Rows
// that there are move to their shards. No server may be running.
func (s *Store) Distribute(ctx context.Context) error {
	if s.sharded {
		return nil
	}
	var there bool
	err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").Scan(&there)
	if err != nil {
		return err
	}
	if !there {
		return errors.New("the database lacks Citus: CREATE EXTENSION citus, and name its nodes")
	}
	for _, statement := range distribute {
		if _, err := s.pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("distribute tables: %w", err)
		}
	}
	return s.findShards(ctx)
}

// findShards finds out whether the tables are spread over nodes.
func (s *Store) findShards(ctx context.Context) error {
	var citus bool
	if err := s.pool.QueryRow(ctx, "SELECT to_regclass('pg_dist_partition') IS NOT NULL").Scan(&citus); err != nil || !citus {
		return err
	}
	const distributed = "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'customers'::regclass)"
	return s.pool.QueryRow(ctx, distributed).Scan(&s.sharded)
}
