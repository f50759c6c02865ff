"""Which rendering of elevation shows a model landforms best?"""
