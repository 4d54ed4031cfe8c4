"""The contract with users: types, names and labels. Pure; imports nothing of ours from above."""
