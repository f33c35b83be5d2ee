"""Why a training does not learn, and what cures it."""
