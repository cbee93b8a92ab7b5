#!lua
--[[
A website's visitor joins: see `includes/join.lua`, which has the keys, the arguments and the answer.
]]
-- @include join
return join()
