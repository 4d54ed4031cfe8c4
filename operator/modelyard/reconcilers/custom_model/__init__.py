"""CustomModel: keeps the ledger, switches the stable Service, and clears up after versions that are gone."""
