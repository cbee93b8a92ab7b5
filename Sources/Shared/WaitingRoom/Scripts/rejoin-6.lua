#!lua
--[[
A website's visitor joins who may have a place already: see `includes/join.lua`, which has the keys, the arguments and the answer.
]]
-- @include join
return join()
